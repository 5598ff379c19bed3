"""What is done to pictures in children, whoever made them: strangers' are cleaned, ours get smaller versions."""
