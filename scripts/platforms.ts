/** What a machine is called: the one table. The Makefile has its own copy, which test/packaging/rules.test.ts holds to it. */
export interface Platform {
  /** `uname -m`, and in the tags of Python's wheels. */
  architecture: 'x86_64' | 'aarch64';
  /** package.json, `cpu` (process.arch). */
  npm: string;
  /** The architecture of an OCI image (GOARCH), and Debian's. */
  oci: string;
  /** A processor that has no more than every one of them (qemu, `-cpu`): on it Node boots at build time. */
  processor: string;
}

export const PLATFORMS: readonly Platform[] = [
  { architecture: 'x86_64', npm: 'x64', oci: 'amd64', processor: 'qemu64' },
  { architecture: 'aarch64', npm: 'arm64', oci: 'arm64', processor: 'cortex-a57' },
];

export function platformOf(architecture: string | undefined): Platform {
  const platform = PLATFORMS.find((row) => row.architecture === architecture);
  if (!platform) throw new Error(`no platform ${architecture}`);
  return platform;
}
