"""The bundle: everything an app needs, written, checked and described."""
