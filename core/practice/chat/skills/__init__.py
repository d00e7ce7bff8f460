"""What the practice model can do beside talking: call tools, fill forms, see, read, cite."""
