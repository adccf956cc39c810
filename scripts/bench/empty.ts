/** The floor of a start: packed in place of dumb-init, it tells what Node alone takes. */
(process as unknown as { reallyExit(status: number): never }).reallyExit(0);
