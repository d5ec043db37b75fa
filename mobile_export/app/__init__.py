"""The demo app around a bundle: its code, parts and tools, its zip, and a phone that adb sees."""
