"""What this computer can do: what is here, what each part is for, and what brings what is not."""
