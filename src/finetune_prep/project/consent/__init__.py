"""What a person has said yes to, remembered outside of any project: a project may come from anywhere."""
