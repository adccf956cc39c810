# A command that handles no signal: as PID 1 it could not even be stopped.
FROM debian
COPY build/dumb-init /usr/bin/dumb-init
CMD ["dumb-init", "python3", "-c", "print('busy', flush=True)\nwhile True: pass"]
