/** Why a server could not be asked, each reason with the next step. */
import { NatsError } from "nats";
import { ApiError, ConnectionFailure } from "../jetstream/api.ts";

/** Server error codes that mean the cluster cannot answer now (errors.json). */
const NO_QUORUM = [10008, 10004, 10118, 10119];
const NO_JETSTREAM = [10039, 10076];
const NO_PEERS = 10005;

const RESERVED = "`circl check` says what the streams reserve.";
/** Which limit an answer speaks of, and the next step (checkBytesLimits in jetstream.go of 2.14.9, and where these are made). */
const LIMITS: Readonly<Record<number, readonly [string, string]>> = {
  10047: [
    "there is not enough storage: what is reserved in files reaches max_file of the account, or of the servers",
    `Raise nats.accountStorage or nats.volume.size, or lower maxBytes: ${RESERVED}`,
  ],
  10028: [
    "there is not enough storage: what is reserved in memory reaches max_mem of the account, or of the servers",
    `Lower maxBytes of the streams in memory, or keep them in files: ${RESERVED}`,
  ],
  10023: [
    "there is not enough storage: a server's store is full, or holds as many replicated streams and consumers as max_ha_assets allows",
    `Raise nats.volume.size, or lower maxBytes: ${RESERVED}`,
  ],
  10027: ["the account has as many streams as its max_streams allows", "Raise that, or delete a stream."],
  10026: [
    "the stream has as many consumers as its maxConsumers, or the account's max_consumers, allows",
    "Raise that, or delete a consumer.",
  ],
  10113: ["the account wants a limit of bytes for every stream (max_bytes_required)", "Give it maxBytes."],
  10122: [
    "its maxBytes are more than the account allows a stream (store_max_stream_bytes, mem_max_stream_bytes)",
    "Lower maxBytes.",
  ],
};

/** What an error of the client or the server means to whoever runs the command. `doing` is what was tried. */
export function explainFailure(error: unknown, doing: string, servers: string): Error {
  if (error instanceof ApiError) {
    if (NO_JETSTREAM.includes(error.errCode))
      return failure(doing, "JetStream is off for this account", error, jetStreamOff);
    if (NO_QUORUM.includes(error.errCode))
      return failure(doing, "the cluster has no leader now", error, noQuorum, true);
    const limit = LIMITS[error.errCode];
    if (limit) return failure(doing, `${limit[0]} (${error.errCode})`, error, limit[1]);
    if (error.errCode === NO_PEERS) return failure(doing, `no server can take it: ${error.message}`, error, noPeers);
    return error;
  }
  if (!(error instanceof NatsError)) return outside(error, doing, servers);
  switch (error.code) {
    case "CONNECTION_REFUSED":
      return failure(
        doing,
        `nobody listens at ${servers}`,
        error,
        "Check --server: is the server up, and is this its client port?",
      );
    case "AUTHORIZATION_VIOLATION":
    case "AUTHENTICATION_EXPIRED":
    case "BAD_AUTHENTICATION":
    case "ACCOUNT_EXPIRED":
      return failure(doing, "the server does not accept these credentials", error, badCredentials);
    case "PERMISSIONS_VIOLATION":
      return failure(doing, `this user may not ${permission(error)}`, error, wayOut(error));
    case "503":
      // About the account itself every server with JetStream answers, with a leader or without.
      if (doing === "INFO") return failure(doing, "JetStream is off for this account", error, jetStreamOff);
      return failure(
        doing,
        "nobody answers: the stream has no leader now, or JetStream is off for this account",
        error,
        `An election is over within seconds: try again. ${jetStreamOff}`,
        true,
      );
    case "TIMEOUT":
    case "CONNECTION_TIMEOUT":
      // A server greets whoever dials it.
      if (doing === "connecting") return failure(doing, `no answer in time from ${servers}`, error, noGreeting, true);
      return failure(doing, "no answer in time", error, noAnswer, true);
    case "SERVER_OPT_NA":
      return failure(doing, `${servers} speaks no TLS`, error, "Leave out --tls-ca and the other TLS options.");
    case "CONNECTION_CLOSED":
    case "DISCONNECT":
      return failure(doing, "the connection was lost and could not be made anew", error, lost);
    default:
      return failure(doing, error.message, error, checkServer);
  }
}

/** What Node says of names, sockets and certificates, now or as the client connects anew; anything else is nobody's to explain. */
function outside(error: unknown, doing: string, servers: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = "code" in error ? String(error.code) : "";
  if (UNTRUSTED.test(code)) return failure(doing, error.message, error, badCertificate);
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return OUR_CERTIFICATE.test(error.message)
      ? failure(doing, "the server does not accept this client's certificate", error, ownCertificate)
      : failure(doing, `TLS with ${servers} fails: ${error.message}`, error, checkServer);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return failure(doing, `there is no host of the name in ${servers}`, error, checkServer);
  }
  if (UNREACHABLE.includes(code))
    return failure(doing, `${servers} cannot be reached: ${error.message}`, error, noRoute);
  return doing === "connecting" && code !== "" ? failure(doing, error.message, error, checkServer) : error;
}

/** Codes by which OpenSSL, and Node after it, does not trust a server's certificate (X509_verify_cert_error_string). */
const UNTRUSTED =
  /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|CRL_|ERROR_IN_CERT_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_|ERR_TLS_CERT_)/;
/** Alerts of the server about a certificate: ours, or that there is none. */
const OUR_CERTIFICATE =
  /alert (bad|unknown|unsupported|expired|revoked)? ?(certificate|ca)|alert handshake failure|certificate required/i;
const UNREACHABLE = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];

const badCertificate =
  "Check --tls-ca: it is the authority of the servers' certificates, and --server must be a name that they have.";
const ownCertificate = "Check --tls-cert and --tls-key: the servers ask for a certificate of their own authority.";
const checkServer = "Check --server and the TLS options.";
const noRoute = "Check --server: is it the client port, and does a firewall or a network policy let you there?";
const badCredentials = "Check user, password file, seed or creds; with a context, which account it belongs to.";
const noPermission = "Let the identity have it, or use one that does.";
const jetStreamOff =
  "Use a user of the account that has JetStream (CIRCL, not SYS), and check jetstream {} in nats.conf.";
const noQuorum =
  "Wait for the servers to come back: a majority must be up. `kubectl get pods -l app.kubernetes.io/name=nats` shows them.";
const noPeers =
  "Too few servers have room and have been heard of since the meta leader started: bring back those that are down, then apply again.";
const noAnswer =
  "A meta leader may be missing or just elected: try again, then look at the servers. --timeout waits longer.";

/** Over TLS 1.3 a server judges the client's certificate after the handshake, and the client is told nothing. */
const noGreeting =
  "Check --server: is this its client port? A server that wants a certificate is silent to whoever has none of its authority: " +
  "check --tls-cert and --tls-key. --timeout waits longer.";
const lost = "Try again: what is done stays done.";

const permission = ({ permissionContext, message }: NatsError): string => {
  if (!permissionContext) return message;
  const { operation, subject } = permissionContext;
  return `${operation === "publish" ? "publish to" : "subscribe to"} "${subject}"`;
};

const wayOut = ({ permissionContext }: NatsError): string =>
  permissionContext?.subject.startsWith("_INBOX.")
    ? "Its inbox is private: add --inbox-prefix _INBOX_<identity>, for example _INBOX_stream-plan."
    : noPermission;

const failure = (doing: string, what: string, cause: Error, next: string, passing = false): ConnectionFailure =>
  new ConnectionFailure(`${doing}: ${what}. ${next}`, { cause, passing });
