"""Contenders in C and C++, called through ctypes."""
