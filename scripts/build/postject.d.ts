/** What scripts/inject.ts uses of postject, which brings no types. */
declare module 'postject' {
  export function inject(
    filename: string,
    resourceName: string,
    resourceData: Buffer,
    options?: { sentinelFuse?: string },
  ): Promise<void>;
}
