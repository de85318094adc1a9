export { teamsHighContrastTheme as theme } from '@fluentui/tokens';
