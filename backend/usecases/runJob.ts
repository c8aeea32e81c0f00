/** Jobs that waited for their time; the clock's owner (real or virtual) calls this. */
import { expireOffer } from "./answerOffer.ts";
import { answerProfile } from "./dispatchProfiles.ts";
import { judgeFirstPart, judgePromise } from "./judgePromise.ts";
import type { Job, World } from "./ports.ts";
import { runControlCycle } from "./runControlCycle.ts";
import { settleOrder } from "./settleOrder.ts";

export async function runJob(world: World, job: Job): Promise<void> {
  switch (job.kind) {
    case "cycle":
    case "limit":
      await runControlCycle(world, job.groupId, "event");
      return;
    case "offer-expiry":
      await expireOffer(world, job.sessionId);
      return;
    case "promise-due":
      await judgePromise(world, job.sessionId);
      return;
    case "first-due":
      await judgeFirstPart(world, job.sessionId);
      return;
    case "order-due":
      await settleOrder(world, job.orderId);
      return;
    case "answer-due":
      if (isPending(world, job.profileId))
        await answerProfile(world, { profileId: job.profileId, state: "timed-out", at: world.clock.now() });
      return;
  }
}

const isPending = (world: World, profileId: string) =>
  Object.values(world.board.groups).some((group) =>
    Object.values(group.sessions).some((live) => live.pending?.id === profileId),
  );
