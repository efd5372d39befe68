"""Where siblings meet: build then prove, train then prove, the demo."""
