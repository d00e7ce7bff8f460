"""What goes on while a page shows it: streamed, waited for, watched."""
