# pip
FROM python:3-slim
RUN pip install dumb-init==2.0.0
ENTRYPOINT ["dumb-init", "--"]
