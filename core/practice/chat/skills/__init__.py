"""What the practice model can do beside talking: call tools, fill forms, look at pictures, cite."""
