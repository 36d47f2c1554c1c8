"""From a canvas to a workflow that generates in a part of it: box, intent, request."""
