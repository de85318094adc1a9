// Whom a mail goes to: members of the tenant, and other addresses.
import { Dropdown, Field, Option, Textarea } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/me';
import { membersQuery } from '@/api/queries';
import { n } from '@/messages/notifications';
import { addressesIn, type Draft, type Field as Name, MOST_RECIPIENTS } from './draft';

const words = n.form;

interface Props {
  draft: Draft;
  put: (change: Partial<Draft>, ...fields: Name[]) => void;
  wrong: (field: Name) => boolean;
}

export function Recipients({ draft, put, wrong }: Props) {
  const members = useQuery({ ...membersQuery, enabled: useMay('members.read') }).data?.items ?? [];
  const { good, bad } = addressesIn(draft.addresses);
  const count = good.length + draft.members.length;
  const trouble = wrong('addresses') ? words.badAddress(bad ?? '') : wrong('recipients') ? (count === 0 ? words.noRecipient : words.tooMany(MOST_RECIPIENTS)) : undefined;
  const chosen = members.filter((each) => draft.members.includes(each.id)).map((each) => each.name);
  return (
    <>
      {members.length > 0 && (
        <Field label={words.members} hint={words.membersHint}>
          <Dropdown
            multiselect value={chosen.join(', ') || words.membersNone} selectedOptions={draft.members} style={{ minWidth: 0 }}
            onOptionSelect={(_, data) => put({ members: data.selectedOptions }, 'recipients')}
          >
            {members.map((each) => (
              <Option key={each.id} value={each.id} text={each.name} disabled={!each.email && !draft.members.includes(each.id)}>
                {`${each.name} (${each.email || words.noMemberAddress})`}
              </Option>
            ))}
          </Dropdown>
        </Field>
      )}
      <Field label={words.addresses} hint={words.addressesHint} validationMessage={trouble}>
        <Textarea value={draft.addresses} rows={3} spellCheck={false} resize="vertical" maxLength={20_000} onChange={(_, data) => put({ addresses: data.value }, 'addresses', 'recipients')} />
      </Field>
    </>
  );
}
