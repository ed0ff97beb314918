"""Work whose answers come by batch file: how often somebody has to carry one."""
