/** What the exit code of a command means; scripts and pipelines rely on it. */
export const exitCodes = {
  done: 0,
  problems: 1,
  /** Only with --detailed-exitcode: without it a pipeline would take differences for a failure. */
  changes: 2,
  blocked: 3,
  /** EX_USAGE of sysexits.h. */
  usage: 64,
  /** 128 + SIGINT, as shells report it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "done, or no changes",
  problems: "problems found, or it failed",
  changes: "changes present (only with --detailed-exitcode)",
  blocked: "blocked, or approval needed; unknown assets (plan: --detailed-exitcode)",
  usage: "wrong usage",
  interrupted: "interrupted",
};
