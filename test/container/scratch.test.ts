import { readFileSync } from 'node:fs';
import t from 'tap';
import { HARMLESS_ENVIRONMENT } from '../../scripts/oci.ts';
import { runContainer, startContainer } from '../helpers/container.ts';
import { fixture } from '../helpers/processes.ts';

/** What in a container's environment is meant for the application, and would harm a Node or a loader. */
const HOSTILE_ENVIRONMENT = [
  'NODE_OPTIONS=--require=/nowhere.js --inspect',
  'NODE_CHANNEL_FD=1',
  'NODE_CHANNEL_SERIALIZATION_MODE=advanced',
  'NODE_REPL_EXTERNAL_MODULE=/nowhere.js',
  'NODE_V8_COVERAGE=/coverage',
  'NODE_COMPILE_CACHE=/cache',
  'NODE_EXTRA_CA_CERTS=/nowhere.pem',
  'LD_PRELOAD=/lib/hostile.so',
  'LD_LIBRARY_PATH=/lib',
  'LD_AUDIT=/lib/hostile.so',
  'LD_DEBUG=all',
  'OPENSSL_CONF=/etc/ssl/openssl.cnf',
  'GLIBC_TUNABLES=glibc.malloc.check=3',
  'MALLOC_PERTURB_=85',
  'DUMB_INIT_HANDOVER=9 9 9 9 9 9',
];

/** Files of an image that a loader or OpenSSL would read, each of which would end or change PID 1. */
const HOSTILE_FILES = {
  '/etc/ld.so.preload': '/lib/hostile.so\n',
  '/etc/ld.so.cache': 'ld.so-1.7.0 and then no cache at all',
  '/lib/hostile.so': 'no ELF file',
  '/lib/x86_64-linux-gnu/libc.so.6': 'no ELF file',
  '/lib/libm.so.6': 'no ELF file',
  '/etc/ssl/openssl.cnf': 'openssl_conf = hostile\n[hostile]\nengines = /lib/hostile.so\n',
  '/usr/lib/ssl/openssl.cnf': 'openssl_conf = hostile\n',
  '/node_modules/dumb-init/index.js': 'throw new Error("loaded")',
  '/package.json': '{"type":"hostile"',
};

const shell = (script: string) => ['/dumb-init', '--', '/busybox', 'sh', '-c', script];

for (const [who, user] of [
  ['root', 0],
  ['uid 65534', 65534],
] as const) {
  t.test(`as ${who}: an empty read-only root is enough`, async (t) => {
    const { status, stdout, stderr } = await runContainer({
      user,
      args: shell('/busybox cat /proc/1/comm; /busybox id -u; /busybox touch /tmp /x; exit 7'),
    });
    t.equal(status, 7);
    t.equal(stdout, `dumb-init\n${user}\n`);
    t.match(stderr, /Read-only file system/, 'the root is what the test says it is');
  });

  t.test(`as ${who}: the signal of runc kill runs the trap of the command`, async (t) => {
    const container = startContainer({
      user,
      args: shell('trap "echo trapped; exit 3" TERM; echo ready; while :; do /busybox sleep 0.01; done'),
    });
    await container.prints('ready');
    await container.kill('TERM');
    const { status, stdout } = await container.ended;
    t.equal(status, 3);
    t.equal(stdout, 'ready\ntrapped\n');
  });

  t.test(`as ${who}: 50 orphans leave no zombie`, async (t) => {
    const { status, stdout } = await runContainer({
      user,
      files: { '/orphans': readFileSync(fixture('orphans'), 'latin1') },
      args: ['/dumb-init', '/orphans', '50'],
    });
    t.equal(stdout, 'reaped\n');
    t.equal(status, 0);
  });

  t.test(`as ${who}: nothing of a hostile environment or image reaches PID 1, all of it the command`, async (t) => {
    const { status, stdout, stderr } = await runContainer({
      user,
      env: HOSTILE_ENVIRONMENT,
      files: HOSTILE_FILES,
      args: ['/dumb-init', '/busybox', 'env'],
    });
    t.equal(stderr, '');
    t.strictSame(stdout.trimEnd().split('\n').sort(), [...HARMLESS_ENVIRONMENT, ...HOSTILE_ENVIRONMENT].sort());
    t.equal(status, 0);
  });

  t.test(`as ${who}: the command has fds 0, 1 and 2 and no other`, async (t) => {
    // A shell gives what it starts in the background another fd 0: to be looked at after the exec.
    const started = "/busybox tr '\\0' ' ' < /proc/$!/cmdline | /busybox grep -q '^/busybox sleep'";
    const script = `/busybox sleep 60 & until ${started}; do :; done; cd /proc/$!/fd; echo *; kill $!`;
    const { stdout } = await runContainer({ user, args: shell(script) });
    t.equal(stdout, '0 1 2\n');
  });
}

t.test('that the executable may be run but not read (mode 0711) is no hindrance', async (t) => {
  const { status } = await runContainer({ user: 65534, executableMode: 0o711, args: shell('exit 7') });
  t.equal(status, 7);
});
