"""What people and models say of conversations: labels, the file that keeps them, and the draw that decides who reads what."""
