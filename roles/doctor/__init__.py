"""captionbot doctor: everything that captionbot needs, and how to repair what is wrong."""
