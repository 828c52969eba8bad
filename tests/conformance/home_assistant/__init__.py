"""The parts of `home_assistant_check.py`."""
