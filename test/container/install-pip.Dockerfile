# The wheel; without --no-index and --find-links where an index has it.
FROM python:3-slim
COPY build/dist/*.whl /tmp/dist/
RUN python3 -m venv /venv && /venv/bin/pip install --no-index --find-links /tmp/dist dumb-init
ENTRYPOINT ["/venv/bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
