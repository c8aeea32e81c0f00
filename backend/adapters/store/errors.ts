/** What the store refuses by throwing: callers have looked before, so these mean that somebody else was quicker. */

/** A car is plugged in there already. */
export class EvseOccupiedError extends Error {
  override readonly name = "EvseOccupiedError";
  readonly evseId: string;
  readonly occupantId: string;

  constructor(evseId: string, occupantId: string, sessionId: string) {
    super(
      `EVSE ${evseId} is occupied by session ${occupantId}, so session ${sessionId} cannot start there. ` +
        "Stop that session first, or ask the station which of the two it has.",
    );
    this.evseId = evseId;
    this.occupantId = occupantId;
  }
}

/** The session was started before: the answer to a duplicate is the session that exists. */
export class SessionExistsError extends Error {
  override readonly name = "SessionExistsError";
  readonly sessionId: string;

  constructor(sessionId: string) {
    super(`Session ${sessionId} was started before. Read it instead of starting it twice.`);
    this.sessionId = sessionId;
  }
}
