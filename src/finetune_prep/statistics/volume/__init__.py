"""What is measured where there are thousands of rows, one by one."""
