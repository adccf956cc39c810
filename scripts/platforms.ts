/** What a machine is called by those who choose a package for it. */
export interface Platform {
  /** `uname -m`, and in the tags of Python's wheels. */
  architecture: 'x86_64' | 'aarch64';
  /** package.json, `cpu` (process.arch). */
  npm: string;
  /** The architecture of an OCI image (GOARCH), and Debian's. */
  oci: string;
}

export const PLATFORMS: readonly Platform[] = [
  { architecture: 'x86_64', npm: 'x64', oci: 'amd64' },
  { architecture: 'aarch64', npm: 'arm64', oci: 'arm64' },
];

export function platformOf(architecture: string | undefined): Platform {
  const platform = PLATFORMS.find((row) => row.architecture === architecture);
  if (!platform) throw new Error(`no platform ${architecture}`);
  return platform;
}
