"""What runs as a process: everything in one, or each role by itself; and the commands to look after them."""
