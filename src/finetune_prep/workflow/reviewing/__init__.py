"""A person reads and labels: one sitting, and what all labels of a run amount to."""
