// One delivery beside the list: what it tells, every try with what the other side said, and when it is tried again.
import { makeStyles, MessageBar, MessageBarBody, tokens } from '@fluentui/react-components';
import { ArrowClockwise16Regular } from '@fluentui/react-icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { DeliveryDetail, Told } from '@/api/schema';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { n } from '@/messages/notifications';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Facts, Mono } from '@/shared/Facts';
import { AppLink } from '@/shared/location';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ListSkeleton, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { DeliveryBadge, KindWord, OutcomeWord } from './badges';
import { deliveryQuery } from './queries';

const words = n.deliveries;

const useStyles = makeStyles({
  list: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalM },
  head: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', gap: `0 ${tokens.spacingHorizontalM}` },
  try: { display: 'inline-flex', gap: tokens.spacingHorizontalM, alignItems: 'center' },
  detail: { overflowWrap: 'anywhere' },
  links: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM },
  button: { marginTop: tokens.spacingVerticalS },
});

export function DeliveryPanel({ delivery, place }: { delivery: string; place: Place }) {
  const query = useQuery({ ...deliveryQuery(delivery), placeholderData: keepPreviousData });
  const data = query.data?.id === delivery ? query.data : undefined;
  return (
    <SidePanel item={delivery} title={data ? data.subject : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="notifications.read" skeleton={<ListSkeleton rows={9} />}>
        {(shown) => <Detail delivery={shown} />}
      </Loaded>
    </SidePanel>
  );
}

function Detail({ delivery }: { delivery: DeliveryDetail }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  const { channel, failure, state, tries } = delivery;
  return (
    <>
      <Part>
        <div className={panel.badges}>
          <DeliveryBadge state={state} />
          <span>{delivery.kind === 'digest' ? words.digestOf(delivery.events) : n.deliveryKinds[delivery.kind]}</span>
        </div>
        <Note>{n.deliveryNotes[state]}</Note>
        <div className={styles.button}>
          <Retry delivery={delivery} />
        </div>
      </Part>
      {failure && state !== 'delivered' && (
        <Part title={words.failure}>
          <MessageBar intent={state === 'dead' ? 'error' : 'warning'} layout="multiline">
            <MessageBarBody>{failure.detail}</MessageBarBody>
          </MessageBar>
        </Part>
      )}
      {delivery.about.length > 0 && (
        <Part title={words.about}>
          <ul className={styles.list}>
            {delivery.about.map((told, index) => (
              <About key={index} told={told} />
            ))}
          </ul>
        </Part>
      )}
      <Part title={words.tries}>
        {tries.length === 0 ? (
          <Note>{words.none}</Note>
        ) : (
          <ol className={styles.list} aria-label={words.tries}>
            {tries.map((each) => (
              <li key={each.number}>
                <div className={styles.head}>
                  <span className={styles.try}>
                    {words.tryNumber(each.number)} <OutcomeWord outcome={each.outcome} />
                  </span>
                  <Note>
                    <Time at={each.at} />, {words.took(each.took_ms)}
                  </Note>
                </div>
                <div className={styles.detail}>{each.detail}</div>
              </li>
            ))}
          </ol>
        )}
      </Part>
      <Part title={words.facts}>
        <Facts
          facts={[
            [words.channel, <AppLink key="channel" href={paths.notifications('channels', { item: channel.id })}>{channel.name}</AppLink>],
            [words.kind, <KindWord key="kind" kind={channel.kind} />],
            [words.recipient, delivery.recipient],
            [words.rule, delivery.rule?.name],
            [words.at, <Time key="at" at={delivery.created_at} />],
            [words.next, delivery.next_try_at && <Time key="next" at={delivery.next_try_at} />],
            [words.delivered, delivery.delivered_at && <Time key="delivered" at={delivery.delivered_at} />],
            [words.messageId, <Mono key="id">{delivery.message_id}</Mono>],
          ]}
        />
        <Note>{words.idNote}</Note>
      </Part>
    </>
  );
}

/** One thing it tells, with the way to it in the portal. */
function About({ told: { event, at, title, run, scan, fix } }: { told: Told }) {
  const styles = useStyles();
  return (
    <li>
      <div className={styles.detail}>{title}</div>
      <Note>
        {n.events[event]}, <Time at={at} />
      </Note>
      <span className={styles.links}>
        {scan && <AppLink href={paths.scan(scan)}>{words.scan}</AppLink>}
        {run && <AppLink href={paths.run(run)}>{words.run}</AppLink>}
        {fix && <AppLink href={paths.fixes('list', { item: fix })}>{words.fix}</AppLink>}
      </span>
    </li>
  );
}

function Retry({ delivery: { id, kind, state } }: { delivery: DeliveryDetail }) {
  const whyNot = useWhyNot('notifications.manage');
  const retry = useChange({
    run: () => unwrap(api.POST('/api/v1/deliveries/{delivery}/retry', { params: { path: { delivery: id } } })), name: words.retry, done: words.retried, touches: ['list_deliveries', 'get_delivery', 'list_channels'],
  });
  return (
    <Action size="small" icon={<ArrowClockwise16Regular />} whyNot={whyNot ?? (state !== 'dead' ? words.notNow : kind === 'test' ? words.notTest : undefined)} disabledFocusable={retry.isPending} onClick={() => retry.mutate(undefined)}>
      {words.retry}
    </Action>
  );
}
