"""What administrators' commands do to accounts and folders of the directory, here or on a DC elsewhere."""
