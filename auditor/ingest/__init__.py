"""Where frames come in: decode, check, commit, acknowledge."""
