// One finding beside the list: what, where, since when, why it matters, how it lived.
import { Badge, makeStyles, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { findingQuery } from '@/api/queries';
import type { FindingDetail } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { EventBadge, LifeBadge, OutcomeBadge, SeverityBadge } from '@/shared/Badges';
import { Facts, Mono } from '@/shared/Facts';
import { AppLink, isWebUrl, OutsideLink } from '@/shared/location';
import { Message } from '@/shared/Message';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ListSkeleton, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { place as placeOf } from './place';

export const usePanelStyles = makeStyles({
  part: { padding: `${tokens.spacingVerticalM} 0`, borderTop: `1px solid ${tokens.colorNeutralStroke2}`, ':first-child': { borderTopStyle: 'none', paddingTop: 0 } },
  title: { margin: `0 0 ${tokens.spacingVerticalS}`, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold },
  badges: { display: 'flex', flexWrap: 'wrap', gap: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalL}`, alignItems: 'center' },
  tags: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalXS },
  timeline: { listStyleType: 'none', margin: 0, padding: 0 },
  event: { display: 'grid', gridTemplateColumns: '110px minmax(0, 1fr) max-content', gap: tokens.spacingHorizontalM, padding: `${tokens.spacingVerticalXS} 0 ${tokens.spacingVerticalXS} ${tokens.spacingHorizontalM}`, borderLeft: `2px solid ${tokens.colorNeutralStroke1}` },
});

export function Part({ title, children }: { title?: string; children: React.ReactNode }) {
  const styles = usePanelStyles();
  return (
    <div className={styles.part}>
      {title && <h3 className={styles.title}>{title}</h3>}
      {children}
    </div>
  );
}

export function FindingPanel({ finding, place }: { finding: string; place: Place }) {
  const query = useQuery({ ...findingQuery(finding), placeholderData: keepPreviousData });
  const data = query.data?.id === finding ? query.data : undefined;
  return (
    <SidePanel item={finding} title={data ? data.title : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="findings.read" skeleton={<ListSkeleton rows={9} />}>
        {(detail) => <Detail detail={detail} />}
      </Loaded>
    </SidePanel>
  );
}

const words = t.findings.detail;

function Detail({ detail }: { detail: FindingDetail }) {
  const styles = usePanelStyles();
  const lastEvent = detail.history.at(-1);
  return (
    <>
      <Part>
        <div className={styles.badges}>
          <SeverityBadge severity={detail.severity} />
          <OutcomeBadge outcome={detail.outcome} />
          <LifeBadge life={detail.life} />
          {detail.suppressed_in_source && <Badge appearance="outline">{t.findings.suppressed}</Badge>}
        </div>
      </Part>
      <Part title={words.what}>
        {detail.message ? <Message text={detail.message} /> : <Note>{words.noMessage}</Note>}
        {detail.truncated && <Note>{words.truncated}</Note>}
      </Part>
      {detail.location && (
        <Part title={words.where}>
          <Mono>{placeOf(detail.location)}</Mono> {detail.location.more > 0 && <Note>{words.more(detail.location.more)}</Note>}
        </Part>
      )}
      {(detail.description || detail.help_url) && (
        <Part title={words.why}>
          {detail.description && <Message text={detail.description} />}
          {detail.help_url && isWebUrl(detail.help_url) && <OutsideLink href={detail.help_url}>{words.help}</OutsideLink>}
        </Part>
      )}
      <Part title={words.facts}>
        <Facts
          facts={[
            [words.check, <Mono key="check">{detail.check_key}</Mono>],
            [words.tool, detail.tool],
            [t.findings.product, detail.product && t.products[detail.product]],
            [words.directory, detail.directory_name],
            [words.project, detail.project_name],
            [words.group, detail.group],
            [t.findings.severity, words.severityFrom(t.severitySources[detail.severity_source])],
            [t.findings.firstSeen, <Time key="first" at={detail.first_seen} />],
            [t.findings.lastSeen, <Time key="last" at={detail.last_seen} />],
            [words.suppression, detail.suppression && `${detail.suppression.kind}: ${detail.suppression.justification}`],
            [words.evidence, lastEvent && <AppLink key="run" href={paths.run(lastEvent.run)}>{words.run(lastEvent.source)}</AppLink>],
          ]}
        />
      </Part>
      <History detail={detail} />
      {detail.references.length > 0 && (
        <Part title={words.references}>
          <ul>
            {detail.references.map((reference) => (
              <li key={reference}>
                <OutsideLink href={reference}>{reference}</OutsideLink>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {detail.tags.length > 0 && (
        <Part title={words.tags}>
          <div className={styles.tags}>
            {detail.tags.map((tag) => (
              <Badge key={tag} appearance="outline" color="informative">
                {tag}
              </Badge>
            ))}
          </div>
        </Part>
      )}
    </>
  );
}

function History({ detail }: { detail: FindingDetail }) {
  const styles = usePanelStyles();
  const newestFirst = [...detail.history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <Part title={words.history}>
      <ol className={styles.timeline} aria-label={words.history}>
        {newestFirst.map((event, index) => (
          <li key={index} className={styles.event}>
            <EventBadge kind={event.kind} />
            <AppLink href={paths.run(event.run)}>{words.run(event.source)}</AppLink>
            <Time at={event.at} />
          </li>
        ))}
      </ol>
    </Part>
  );
}
