"""What pages share: session state, streaming, texts. The only part of core that draws."""
