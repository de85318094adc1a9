// Any IANA time zone, found by typing part of its name.
import { Combobox, Field, makeStyles, Option } from '@fluentui/react-components';
import { useMemo, useState } from 'react';

const useStyles = makeStyles({ list: { maxHeight: '40vh' } });
const zones = () => [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])];

/** The zone of this browser. */
export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Props {
  label: string;
  zone: string;
  onChange: (zone: string) => void;
  /** Said when what was typed is in no zone's name. */
  bad: string;
}

export function ZoneField({ label, zone, onChange, bad }: Props) {
  const styles = useStyles();
  const all = useMemo(zones, []);
  const [text, setText] = useState(zone);
  const wanted = text.trim().toLowerCase().replace(/\s+/g, '_');
  const shown = text === zone ? all.filter((each) => each === zone || each.split('/')[0] === zone.split('/')[0]) : all.filter((each) => each.toLowerCase().includes(wanted));
  return (
    <Field label={label} required validationMessage={text !== zone && shown.length === 0 ? bad : undefined}>
      <Combobox
        freeform value={text} selectedOptions={[zone]} listbox={{ className: styles.list }}
        onChange={(event) => {
          setText(event.target.value);
          if (all.includes(event.target.value)) onChange(event.target.value);
        }}
        onOptionSelect={(_, data) => {
          if (!data.optionValue) return;
          setText(data.optionValue);
          onChange(data.optionValue);
        }}
        onBlur={() => setText(zone)}
      >
        {shown.slice(0, 60).map((each) => (
          <Option key={each} value={each}>
            {each}
          </Option>
        ))}
      </Combobox>
    </Field>
  );
}
