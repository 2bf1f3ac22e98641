# Run by CPack between installing into its stage and packing: every file is as old as the changelog,
# and folders are open whatever umask the builder has.
execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -type d -exec chmod 0755 "{}" +
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch --no-dereference
                        --date=@$ENV{SOURCE_DATE_EPOCH} "{}" + COMMAND_ERROR_IS_FATAL ANY)
