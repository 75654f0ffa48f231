/** Runs gcloud, and says what its errors mean. */
import { StoreFailure } from "../identity/store.ts";
import { endGroup, spawnApart } from "./child.ts";

export interface Answer {
  /** False where the secret, or a version of it, does not exist; of a create where it does. */
  readonly found: boolean;
  readonly text: string;
  /** Of a version that is there, and that nobody can read. */
  readonly closed?: { readonly state: "DISABLED" | "DESTROYED"; readonly version: string };
}

/** What gcloud writes to stderr, and what to do about it. The first that fits is said. */
const REASONS: readonly (readonly [RegExp, string, string])[] = [
  [
    /active account|gcloud auth login|Reauthentication|invalid_grant|application-default login|UNAUTHENTICATED/i,
    "gcloud is not logged in",
    "Run `gcloud auth login`, or in a pipeline let Workload Identity Federation log in.",
  ],
  [
    /has not been used in project|SERVICE_DISABLED|it is disabled/i,
    "the API is off in this project",
    "Run `gcloud services enable secretmanager.googleapis.com`.",
  ],
  [
    /CONSUMER_INVALID|Project .* (not found|deleted)|valid project ID|USER_PROJECT_DENIED/i,
    "there is no such project",
    "Check secrets.project in environments/.",
  ],
  [
    /\bPERMISSION_DENIED\b|does not have permission|\b403\b/i,
    "not allowed",
    "Reading takes roles/secretmanager.secretAccessor and viewer, writing secretmanager.secretVersionAdder and, for a first version, " +
      "secretmanager.admin; a project that does not exist is reported the same way.",
  ],
  [
    /ConnectionError|Max retries|Failed to (resolve|establish)|ServerNotFoundError|\bUNAVAILABLE\b|time(d[ -]?)?out\b|timeouterror|\btransport(error)?\b|\bDEADLINE/i,
    "it cannot be reached",
    "Check the network and HTTPS_PROXY, then run the same command again.",
  ],
];

/**
 * Somebody disabled or destroyed the newest version; "latest" is that one, not the newest that can be read. The words of the API as
 * google-github-actions/get-secretmanager-secrets#268 shows them.
 */
const CLOSED = /\bSecret Version (?:\[[^\]]*?(\d+)\] )?is in (DISABLED|DESTROYED) state/;

/** Neither is a failure: the one answers a look, the other a create. */
const OTHERWISE = /\bSecret (Version )?\[[^\]]*\] (not found|already exists)/i;

/** Without names and numbers of our own: a service may be called "transport", and a project's number have a 403 in it. */
const worded = (said: string): string => said.replaceAll(/projects\/[^\s'"\]]+|\[[^\]]*\]/g, "");

/** Milliseconds for one answer. It takes a second or two; a network that swallows everything never lets it end. */
export const PATIENCE = 60_000;

/**
 * Runs gcloud. Its own logs stay off: one of its debugging switches writes payloads to a file.
 * @throws StoreFailure for anything but success and a secret that is not there
 */
export function runGcloud(
  args: readonly string[],
  doing: string,
  { input = "", patience }: { readonly input?: string | undefined; readonly patience: number },
): Promise<Answer> {
  const env = {
    ...process.env,
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_DISABLE_FILE_LOGGING: "1",
    CLOUDSDK_CORE_LOG_HTTP: "0",
  };
  return new Promise((done, fail) => {
    const gcloud = spawnApart("gcloud", args, { stdin: "pipe", env });
    let text = "";
    let said = "";
    const late = setTimeout(() => {
      // Nothing of it may write once we have given up.
      endGroup(gcloud, "SIGKILL");
      for (const stream of gcloud.stdio) stream?.destroy();
      fail(
        new StoreFailure(
          `${doing}: gcloud gave no answer in ${patience / 1000} s. Check the network and HTTPS_PROXY, then run the same command again.`,
        ),
      );
    }, patience);
    gcloud.once("error", (cause) => {
      clearTimeout(late);
      fail(
        new StoreFailure(
          `${doing}: gcloud cannot be started (${cause.message}). Install the Google Cloud CLI, or give --store DIR.`,
          { cause },
        ),
      );
    });
    gcloud.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    gcloud.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    // It may end before it reads: what it says then is the reason.
    gcloud.stdin.on("error", () => {});
    gcloud.stdin.end(input);
    gcloud.once("close", (code) => {
      clearTimeout(late);
      if (code === 0) return done({ found: true, text });
      if (OTHERWISE.test(said)) return done({ found: false, text: "" });
      const [, version = "latest", state] = CLOSED.exec(said) ?? [];
      if (state === "DISABLED" || state === "DESTROYED") {
        return done({ found: true, text: "", closed: { state, version } });
      }
      const words = worded(said);
      const [, what, next] = REASONS.find(([pattern]) => pattern.test(words)) ?? [];
      const reason = what ?? (said.trim().split("\n")[0] || `gcloud ended with ${code}`);
      fail(new StoreFailure(`${doing}: ${reason}. ${next ?? "Run the same command again once that is mended."}`));
    });
  });
}
