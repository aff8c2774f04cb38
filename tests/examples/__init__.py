"""The examples that embed Stackweave, run as a user would and looked at more closely."""
