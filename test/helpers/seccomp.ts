/**
 * The seccomp profiles that engines give a container, as they publish them: Docker's (moby, profiles/seccomp/
 * default.json) and Podman's (containers/common, pkg/seccomp/seccomp.json), out of Debian's packages of them (Makefile,
 * SECCOMP).
 */
import { readFileSync } from 'node:fs';
import { machine } from 'node:os';
import { platformOf } from '../../scripts/platforms.ts';

/** A rule, of which some hold for an architecture or with a capability alone. */
interface Rule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: object[] | null;
  includes?: Condition | null;
  excludes?: Condition | null;
}
interface Condition {
  arches?: string[];
  caps?: string[];
  minKernel?: string;
}
interface Profile {
  defaultAction: string;
  defaultErrnoRet?: number;
  syscalls: Rule[];
}

/** As an OCI runtime takes it (config-linux.md, seccomp). */
export interface Seccomp {
  defaultAction: string;
  defaultErrnoRet: number;
  syscalls: { names: string[]; action: string; errnoRet?: number; args?: object[] }[];
}

const EPERM = 1;

/** The rules that hold on this machine, for a container without capabilities. */
function resolved({ defaultAction, defaultErrnoRet = EPERM, syscalls }: Profile): Seccomp {
  const { oci } = platformOf(machine());
  const holds = ({ includes, excludes }: Rule) =>
    !includes?.caps?.length && (includes?.arches?.includes(oci) ?? true) && !excludes?.arches?.includes(oci);
  return {
    defaultAction,
    defaultErrnoRet,
    syscalls: syscalls.filter(holds).map(({ names, action, errnoRet, args }) => ({
      ...{ names, action },
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args?.length ? { args } : {}),
    })),
  };
}

const profileAt = (path: string): Seccomp => resolved(JSON.parse(readFileSync(path, 'utf8')));

export const docker = profileAt('build/test/docker-seccomp.json');
export const podman = profileAt('/usr/share/containers/seccomp.json');

/** The same, but that clone3 fails with EPERM, as it did in Docker before 20.10.10. */
export const withoutClone3 = (profile: Seccomp): Seccomp => ({
  ...profile,
  syscalls: profile.syscalls.map((rule) => (rule.names.includes('clone3') ? { ...rule, errnoRet: EPERM } : rule)),
});

/** Whether it permits a system call, be it with some arguments alone. */
export const permits = ({ syscalls }: Seccomp, name: string): boolean =>
  syscalls.some(({ names, action }) => action === 'SCMP_ACT_ALLOW' && names.includes(name));
