"""The local page: rendered here, served to this machine alone. It shows, and takes labels and decisions; the rest is commands."""
