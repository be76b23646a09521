"""What is checked, by subject: each check is a function from the project to findings, listed in its file's CHECKS."""
