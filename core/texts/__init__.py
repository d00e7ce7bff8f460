"""Every sentence a person reads, in Chinese and in English; the ground that all others stand on."""
