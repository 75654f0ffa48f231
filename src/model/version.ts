/** Versions of nats-server, read off the image's tag. */

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** "2.14.9-alpine" -> 2.14.9; undefined for a tag that names no exact version. */
export function parseVersion(tag: string): Version | undefined {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)(?:-|$)/.exec(tag) ?? [];
  return major && minor && patch ? { major: Number(major), minor: Number(minor), patch: Number(patch) } : undefined;
}

/** "2.14": what a release is a patch of. */
export const lineOf = ({ major, minor }: Version): string => `${major}.${minor}`;

/** Whether `version` is at least `least`, given as "2.12" or "2.12.4". */
export function atLeast(version: Version, least: string): boolean {
  const [major = 0, minor = 0, patch = 0] = least.split(".").map(Number);
  const distance = version.major - major || version.minor - minor || version.patch - patch;
  return distance >= 0;
}

/** Minor lines that get fixes and that stream-sync is tested against; there is no 2.13. */
export const SUPPORTED_MINORS = ["2.12", "2.14", "2.15"] as const;
