/**
 * Keeps one issue about one trouble: opens it, brings it up to date while the trouble lasts, closes it afterwards.
 *
 *   node .github/scripts/issue.js TITLE open|close [FILE]
 */
import { existsSync, readFileSync } from "node:fs";
import { github, list, SELF } from "./github.js";

/** GitHub takes 65,536 characters. */
const LONGEST = 65_000;

const { GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_SERVER_URL } = process.env;
const [title = "", state = "", file = ""] = process.argv.slice(2);
if (title === "" || (state !== "open" && state !== "close")) throw new Error("expected TITLE open|close [FILE]");

const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
const open = await openIssue();
if (state === "open") await tell();
else if (open) await close(open.number);

/** The issue of this title that a run of before opened. */
async function openIssue() {
  for await (const issue of list(`/issues?state=open&creator=${encodeURIComponent(SELF)}`)) {
    if (issue.title === title && issue.user.login === SELF && !issue.pull_request) return issue;
  }
  return undefined;
}

async function tell() {
  const report = file && existsSync(file) ? readFileSync(file, "utf8").trim().slice(0, LONGEST) : "";
  const body = [`Seen by ${run}`, report || "It left no report: the log of that run says why."].join("\n\n");
  if (open) await github("PATCH", `/issues/${open.number}`, { body });
  else await github("POST", "/issues", { title, body });
}

/** @param {number} number */
async function close(number) {
  await github("POST", `/issues/${number}/comments`, { body: `Over, says ${run}` });
  await github("PATCH", `/issues/${number}`, { state: "closed" });
}
