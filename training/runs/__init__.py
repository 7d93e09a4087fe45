"""What all training runs share: run folders, recipes, schedules, averaged weights, distributed training, plots."""
