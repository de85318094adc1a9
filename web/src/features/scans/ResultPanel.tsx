// One check of a scan beside the list: what it is, why it matters, found and wanted, what fails it, what to do, and its evidence.
import { makeStyles, MessageBar, MessageBarBody, tokens } from '@fluentui/react-components';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/me';
import { findingsQuery } from '@/api/queries';
import type { FindingStatus, Scan, ScanResult } from '@/api/schema';
import { checkQuery } from '@/features/catalogue/queries';
import { FixOfCheck } from '@/features/fixes/FixOfCheck';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { SeverityBadge } from '@/shared/Badges';
import { Facts, Mono } from '@/shared/Facts';
import { AppLink, OutsideLink } from '@/shared/location';
import { Message } from '@/shared/Message';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ListSkeleton, Loaded, Note } from '@/shared/States';
import { VerdictBadge } from './badges';
import { resultQuery } from './queries';
import { FoundAndWanted } from './Values';

const words = m.scan.panel;
const useStyles = makeStyles({
  list: { margin: 0, paddingLeft: '20px' },
  controls: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalXS },
  control: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', gap: `0 ${tokens.spacingHorizontalM}` },
  looked: { marginTop: tokens.spacingVerticalS },
});

export function ResultPanel({ scan, check, place }: { scan: Scan; check: string; place: Place }) {
  const query = useQuery({ ...resultQuery(scan.id, check), placeholderData: keepPreviousData });
  const data = query.data?.check === check ? query.data : undefined;
  return (
    <SidePanel item={check} title={data ? data.title : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="scans.read" skeleton={<ListSkeleton rows={9} />}>
        {(result) => <Detail scan={scan} result={result} />}
      </Loaded>
    </SidePanel>
  );
}

function Detail({ scan, result }: { scan: Scan; result: ScanResult }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  return (
    <>
      <Part>
        <div className={panel.badges}>
          <VerdictBadge verdict={result.verdict} />
          <SeverityBadge severity={result.severity} />
          <span>{m.product(result.product)}</span>
        </div>
        <div className={styles.looked}>
          <Mono>{result.check}</Mono> <Note>{result.pack ? words.fromPack(result.pack) : words.version(result.version)}</Note>
        </div>
      </Part>
      {result.would_pass_if_enforced && (
        <Part>
          <MessageBar intent="info" layout="multiline">
            <MessageBarBody>{m.scan.wouldPassNote}</MessageBarBody>
          </MessageBar>
        </Part>
      )}
      {result.reason && <Part title={words.reason}>{result.reason.detail}</Part>}
      <Part title={words.values}>
        <FoundAndWanted actual={result.actual} expected={result.expected} />
        <div className={styles.looked}>
          <Facts
            facts={[
              [words.path, result.path && <Mono key="path">{result.path}</Mono>],
              [words.request, result.request && <Mono key="request">{result.request}</Mono>],
            ]}
          />
        </div>
      </Part>
      {result.objects.length > 0 && (
        <Part title={words.objects}>
          <Note>{words.objectsOf(result.objects.length, result.object_count)}</Note>
          <ul className={styles.list} aria-label={words.objects}>
            {result.objects.map((object) => (
              <li key={`${object.within ?? ''} ${object.id}`}>
                {object.name ? `${object.name} ` : ''}
                <Mono>{object.id}</Mono> {object.within && <Note>{object.within}</Note>}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {result.exclusions.length > 0 && (
        <Part title={words.exclusions}>
          <Note>{words.exclusionsNote}</Note> <AppLink inline href={paths.scans('settings', { of: scan.directory.id })}>{words.settings}</AppLink>
          <ul className={styles.list} aria-label={words.exclusions}>
            {result.exclusions.map((each) => (
              <li key={each}>
                <Mono>{each}</Mono>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {!result.pack && <Why check={result.check} />}
      {result.remediation && (
        <Part title={words.todo}>
          <Message text={result.remediation} />
          {!result.pack && (result.verdict === 'failed' || result.verdict === 'passed_with_exclusions') && <FixOfCheck check={result.check} directory={scan.directory.id} />}
        </Part>
      )}
      {result.frameworks.length > 0 && (
        <Part title={words.frameworks}>
          <ul className={styles.controls} aria-label={words.frameworks}>
            {result.frameworks.map((control) => (
              <li key={`${control.framework} ${control.version ?? ''} ${control.control}`} className={styles.control}>
                <span>
                  {m.framework(control.framework)} {control.version} <strong>{control.control}</strong>
                  {control.loosened && <Note> {words.loosened}: {control.loosened}</Note>}
                </span>
                <VerdictBadge verdict={control.verdict} />
              </li>
            ))}
          </ul>
        </Part>
      )}
      {result.references.length > 0 && (
        <Part title={words.references}>
          <ul className={styles.list}>
            {result.references.map((reference) => (
              <li key={reference} style={{ overflowWrap: 'anywhere' }}>
                <OutsideLink href={reference}>{reference}</OutsideLink>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part title={words.evidence}>
        <Facts
          facts={[
            [m.scan.findings, <Finding key="finding" scan={scan} check={result.check} />],
            [m.scan.run, scan.run && <AppLink key="run" href={paths.run(scan.run)}>{m.scan.run}</AppLink>],
          ]}
        />
      </Part>
    </>
  );
}

/** The rationale of the catalogue; nothing while it is not known. */
function Why({ check }: { check: string }) {
  const { data } = useQuery(checkQuery(check));
  return data ? (
    <Part title={words.why}>
      <Message text={data.rationale} />
    </Part>
  ) : null;
}

/** The finding that stands for a check in this directory, open or fixed. */
function Finding({ scan, check }: { scan: Scan; check: string }) {
  const may = useMay('findings.read');
  const open = useFinding(scan, check, 'open', may);
  const fixed = useFinding(scan, check, 'fixed', may && open.isSuccess && !open.data);
  const finding = open.data ?? fixed.data;
  if (!finding) return <>{words.noFinding}</>;
  return <AppLink href={paths.findings({ item: finding.id, search: check, family: 'scan', status: finding.status === 'fixed' ? 'fixed' : undefined, directory: scan.directory.id })}>{words.finding}</AppLink>;
}

function useFinding(scan: Scan, check: string, status: FindingStatus, enabled: boolean) {
  return useInfiniteQuery({
    ...findingsQuery({ search: check, family: 'scan', status, directory: scan.directory.id }), enabled,
    select: ({ pages }) => pages.flatMap((page) => page.items).find((each) => each.check_key === check),
  });
}
