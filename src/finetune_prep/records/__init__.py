"""Files of rows that anybody may have written: verdicts, labels, conversations. Here they are read, and what is wrong is
named."""
