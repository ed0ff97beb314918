"""The local page: rendered here, served to this machine alone. It shows, and takes labels; everything else is a command."""
