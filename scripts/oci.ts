/** The configuration of a container that has next to nothing, for an OCI runtime such as runc. */

/** The part of the OCI runtime specification (config.md) that is used here. */
export interface OciConfig {
  ociVersion: string;
  process: Record<string, unknown>;
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options?: string[] }[];
  linux: Record<string, unknown>;
}

/** What every container has in its environment. (runc would add a HOME that is missing.) */
export const HARMLESS_ENVIRONMENT: readonly string[] = ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/'];

/**
 * Read-only root in `rootfs`, no new privileges, no capabilities, no /tmp; no resource limits and no
 * network namespace, which not every machine lets us have.
 *
 * @param user uid and gid of PID 1
 */
export function ociConfig({
  args,
  user = 0,
  env = [],
  terminal = false,
}: {
  args: readonly string[];
  user?: number | undefined;
  env?: readonly string[] | undefined;
  terminal?: boolean;
}): OciConfig {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal,
      user: { uid: user, gid: user },
      args,
      env: [...HARMLESS_ENVIRONMENT, ...env],
      cwd: '/',
      noNewPrivileges: true,
      capabilities: {},
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
}
