// Where a run came from, as a sentence.
import type { RunDetail } from '@/api/schema';
import { t } from '@/messages';
import { Time } from '@/shared/Time';

const words = t.run.provenance;

export function Provenance({ run }: { run: RunDetail }) {
  const who = run.submitted_by;
  const tail = [
    words.from(run.source),
    run.project?.name,
    run.pipeline_run_id && words.pipeline(run.pipeline_run_id),
    run.address && words.address(run.address),
    run.tool && words.tool([run.tool, run.tool_version].filter(Boolean).join(' ')),
  ].filter(Boolean);
  return (
    <>
      {words.by[who.kind]} <strong title={who.token_subject ? words.subject(who.token_subject) : undefined}>{who.name}</strong> <Time at={run.opened_at} />, {tail.join(', ')}
      {run.assessed_at && (
        <>
          , {words.assessed} <Time at={run.assessed_at} />
        </>
      )}
      .
    </>
  );
}
