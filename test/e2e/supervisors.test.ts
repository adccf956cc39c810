import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { childrenOf, OURS, processState, run, start, waitUntil } from '../helpers/processes.ts';

/** For daemontools the whole service; supervisord is told to run it. */
const RUN = `#!/bin/sh
exec '${OURS}' /bin/sh '${process.cwd()}/test/container/images/two-part-service' >> output
`;

// A KILL instead of a TERM would come after those 50 seconds, and show: nobody would say `ended`.
const SUPERVISORD_CONF = `[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=supervisord.pid
[unix_http_server]
file=supervisor.sock
[supervisorctl]
serverurl=unix://supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:service]
command=./run
stopwaitsecs=50
`;

const supervisorctl = (...words: string[]) => ['supervisorctl', '-c', 'supervisord.conf', ...words];

const SUPERVISORS = [
  {
    name: 'supervisord',
    command: ['supervisord', '-c', 'supervisord.conf'],
    stop: supervisorctl('stop', 'service'),
    start: supervisorctl('start', 'service'),
    restart: supervisorctl('restart', 'service'),
    shutdown: supervisorctl('shutdown'),
  },
  {
    name: 'daemontools',
    command: ['supervise', '.'],
    stop: ['svc', '-d', '.'],
    start: ['svc', '-u', '.'],
    restart: ['svc', '-t', '.'],
    shutdown: ['svc', '-dx', '.'],
  },
] as const;

const READY = 'ready\n';
const ENDED = 'background ended\nforeground ended\n';

for (const supervisor of SUPERVISORS) {
  t.test(`under ${supervisor.name}, a service of two processes is stopped, started and restarted whole`, async (t) => {
    const cwd = mkdtempSync(join(process.cwd(), 'build/test/service-'));
    t.teardown(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, 'run'), RUN, { mode: 0o755 });
    writeFileSync(join(cwd, 'supervisord.conf'), SUPERVISORD_CONF);
    writeFileSync(join(cwd, 'output'), '');
    const [program, ...words] = supervisor.command;
    const running = start(program, words, { cwd });

    let history = '';
    /** Waits for what the service says next, and for the end of these processes. */
    const expect = async (output: string, pids: readonly number[] = []) => {
      history += output;
      const said = () => readFileSync(join(cwd, 'output'), 'utf8');
      await waitUntil(
        () => said() === history,
        () => `${history}instead of\n${said()}${running.stdout()}${running.stderr()}`,
      );
      await waitUntil(() => pids.every((pid) => processState(pid) === ''), 'the end of every process of the service');
    };
    const order = async (to: 'stop' | 'start' | 'restart' | 'shutdown') => {
      const pids = descendants(running.pid);
      const [program, ...words] = supervisor[to];
      const { status, stdout, stderr } = await run(program, words, { cwd });
      t.equal(status, 0, `${to}: ${stdout}${stderr}`);
      return pids;
    };

    await expect(READY);
    await expect(ENDED + READY, await order('restart'));
    await expect(ENDED, await order('stop'));
    await expect(READY, await order('start'));
    await expect(ENDED, await order('shutdown'));
    t.equal((await running.ended).status, 0);
  });
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}
