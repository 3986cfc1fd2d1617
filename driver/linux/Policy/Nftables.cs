using System.Runtime.InteropServices;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The library behind the program nft, for one namespace: its socket is opened on a thread that is inside and used from
/// any. One text is one transaction: the kernel takes all of it or nothing. Callers take turns.
/// </summary>
sealed partial class Nftables : SafeHandle
{
    const string Library = "libnftables.so.1";
    const int NotSupported = 95;

    public Nftables()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    public static Nftables Open(string networkNamespace)
    {
        try
        {
            var opened = NetworkNamespace.Run(networkNamespace, () => New(0));
            if (opened.IsInvalid)
            {
                opened.Dispose();
                throw new KernelException(NotSupported, "open nftables in " + networkNamespace);
            }

            // Else it writes on our standard output and error.
            _ = BufferOutput(opened);
            _ = BufferErrors(opened);
            return opened;
        }
        catch (DllNotFoundException)
        {
            throw new KernelException(NotSupported, "load " + Library, "the package libnftables1 is not installed");
        }
    }

    /// <summary>Throws what the kernel or the library refused, in its own words.</summary>
    public void Commit(string transaction, string what)
    {
        if (Run(this, transaction) != 0)
        {
            throw new KernelException(Marshal.GetLastPInvokeError(), what, Marshal.PtrToStringUTF8(Errors(this))?.Trim());
        }

        _ = Marshal.PtrToStringUTF8(Output(this));
    }

    protected override bool ReleaseHandle()
    {
        Free(handle);
        return true;
    }

    [LibraryImport(Library, EntryPoint = "nft_ctx_new")]
    private static partial Nftables New(uint flags);

    [LibraryImport(Library, EntryPoint = "nft_ctx_free")]
    private static partial void Free(nint context);

    [LibraryImport(Library, EntryPoint = "nft_ctx_buffer_output")]
    private static partial int BufferOutput(Nftables context);

    [LibraryImport(Library, EntryPoint = "nft_ctx_buffer_error")]
    private static partial int BufferErrors(Nftables context);

    [LibraryImport(Library, EntryPoint = "nft_ctx_get_output_buffer")]
    private static partial nint Output(Nftables context);

    [LibraryImport(Library, EntryPoint = "nft_ctx_get_error_buffer")]
    private static partial nint Errors(Nftables context);

    [LibraryImport(Library, EntryPoint = "nft_run_cmd_from_buffer", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Run(Nftables context, string commands);
}
